import { type Flush, type Stage, cooldown, dedup, inhibit, mute, rest, schedule, silence, steady } from './evaluate.ts';

/**
 * The way of every notification. Routing came before (route.ts decides the groups of an alert), sending and recording come
 * after (service.ts, in the transaction that this flush belongs to). What was decided
 * about many alerts (inhibition, time intervals, silences) comes before what somebody did to one, as in Alertmanager; people's handling comes before the cooldown, so that
 * the history names the person and not the clock.
 */
const PIPELINE: readonly Stage[] = [inhibit, rest, silence, mute, steady, cooldown, dedup, schedule];

export const runPipeline = (flush: Flush): Flush => PIPELINE.reduce((decided, stage) => stage(decided), flush);
