import type { SlaView } from '../api/wire.ts';
import { Instant } from '../components/instant.tsx';
import { Section } from '../components/section.tsx';
import { lengthText } from '../figures/length.ts';
import { decimalText } from '../figures/percent.ts';
import { t } from '../language/t.ts';

type Prediction = NonNullable<SlaView['prediction']>;

const percent = (chance: number): string => {
  if (chance > 0 && chance < 0.01) return t('below 1 %');
  return chance < 1 && chance > 0.99 ? t('above 99 %') : t('{figure} %', { figure: Math.round(chance * 100) });
};

/** How likely a breach is, and how good such figures were; that there is none, and why, where there is none. */
export function PredictionSection({ sla }: { readonly sla: SlaView }) {
  const { prediction } = sla;
  return (
    <Section title={t('Prediction')} aside={t('from how often and how long it was bad so far')}>
      {prediction === undefined || prediction === null ? (
        <p className="empty empty-quiet">{noneBecause(sla)}</p>
      ) : (
        <>
          <dl className="panel panel-pad facts">
            {sla.status === 'breached' ? <Fact name={t('Now')} value={t('breached already')} /> : null}
            <Fact name={t('Breach within 60 minutes')} value={percent(prediction.breach_within_60m)} />
            <Fact
              name={sla.calendar === null ? t('Breach within one window ahead') : t('Breach by the end of the period')}
              value={percent(prediction.breach_by_end)}
            />
            <div>
              <dt>{t('As likely as not by')}</dt>
              <dd>
                {prediction.expected_at_ms === null ? (
                  t('not within this horizon')
                ) : (
                  <Instant atMs={prediction.expected_at_ms} relative={false} />
                )}
              </dd>
            </div>
            <div>
              <dt>{t('Looks ahead to')}</dt>
              <dd>
                <Instant atMs={prediction.horizon_at_ms} relative={false} />
              </dd>
            </div>
          </dl>
          <Calibration prediction={prediction} />
        </>
      )}
    </Section>
  );
}

const Fact = ({ name, value }: { readonly name: string; readonly value: string }) => (
  <div>
    <dt>{name}</dt>
    <dd>{value}</dd>
  </div>
);

function noneBecause({ observed_ms: observed, prediction_needs_ms: needs }: SlaView): string {
  if (needs !== undefined)
    return t('No prediction yet: {needs} of watching are needed, {observed} are there. Less would be a guess.', {
      needs: lengthText(needs),
      observed: lengthText(observed),
    });
  if (observed === 0) return t('No prediction: nothing was observed yet.');
  return t('No prediction could be made from what is known.');
}

function Calibration({ prediction: { calibration } }: { readonly prediction: Prediction }) {
  if (calibration === null) {
    return <p className="soft">{t('Not tested yet: the past is too short to compare what would have been said with what came.')}</p>;
  }
  const { cases, brier, base_brier: base, reliability } = calibration;
  const [said, usual] = [brier.toFixed(3), base.toFixed(3)];
  // What reads the same is the same to a reader.
  const verdict =
    said === usual ? t('as good as the base rate') : brier < base ? t('better than the base rate') : t('worse than the base rate');
  return (
    <>
      <p className="soft">
        {t('Tested at {cases} past instants: Brier score {said}, base rate {usual}: {verdict}. 0 is perfect.', {
          cases,
          said: decimalText(said),
          usual: decimalText(usual),
          verdict,
        })}
      </p>
      <div className="panel">
        <div className="table-scroll" role="region" aria-label={t('Reliability of the prediction')} tabIndex={0}>
          <table className="table">
            <caption className="sr-only">{t('Reliability: what was said beside what came')}</caption>
            <thead>
              <tr>
                <th scope="col">{t('When it said')}</th>
                <th scope="col" className="numeric">
                  {t('Times')}
                </th>
                <th scope="col" className="numeric">
                  {t('Said on average')}
                </th>
                <th scope="col" className="numeric">
                  {t('Came true')}
                </th>
              </tr>
            </thead>
            <tbody>
              {reliability.map((bin) => (
                <tr key={bin.from}>
                  <td>{t('{from} to {to} %', { from: Math.round(bin.from * 100), to: Math.round(bin.to * 100) })}</td>
                  <td className="numeric">{bin.cases}</td>
                  <td className="numeric">{percent(bin.said)}</td>
                  <td className="numeric">{percent(bin.happened)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </div>
    </>
  );
}
