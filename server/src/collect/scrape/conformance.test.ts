import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { readPrometheusFile } from './prometheus-file.ts';

/** Prometheus' own example files: what each must come to here. An empty list is a file that runs unchanged. */
const EXPECTED: Readonly<Record<string, readonly RegExp[]>> = {
  'prometheus.yml': [],
  'prometheus-kubernetes.yml': [],
  'prometheus-agent.yml': [/key "remote_write" is not supported/],
  'prometheus-docker.yml': [/key "docker_sd_configs" in scrape_configs\[2\] is not supported/],
  'prometheus-otlp.yml': [/key "otlp" is not supported/, /key "storage" is not supported/],
};
const folder = ['../shared', '../../shared']
  .map((path) => join(process.cwd(), path, 'conformance/configs'))
  .find((path) => existsSync(path));

for (const [name, wanted] of Object.entries(EXPECTED)) {
  test(`${name} runs unchanged or is refused by its key`, { skip: folder === undefined && 'the conformance files are not there' }, () => {
    const { problems, file } = readPrometheusFile(join(folder ?? '', name));
    assert.equal(problems.length, wanted.length, JSON.stringify(problems));
    for (const [index, reason] of wanted.entries()) assert.match(problems[index]?.message ?? '', reason);
    assert.equal(file === undefined, wanted.length > 0);
  });
}
