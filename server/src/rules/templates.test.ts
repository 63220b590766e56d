import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { TemplateSample } from './template-functions.ts';
import { parseTemplate } from './template-parse.ts';
import { expandTemplate } from './templates.ts';

const UP: readonly TemplateSample[] = [
  { Labels: { __name__: 'up', instance: 'b:9100' }, Value: 0 },
  { Labels: { __name__: 'up', instance: 'a:9100' }, Value: 1 },
];

async function expand(source: string, value = 12.5): Promise<string> {
  const parsed = parseTemplate(source);
  assert.ok(parsed.ok, parsed.ok ? '' : parsed.error);
  return expandTemplate(parsed.value, {
    labels: { instance: 'web-1:9100', job: 'node' },
    value,
    externalUrl: 'http://nines.example/base',
    externalLabels: { region: 'eu' },
    atMs: 1_430_802_305_500,
    query: async (expr) => {
      if (expr === 'bad(') throw new Error('1:5: parse error: unclosed left parenthesis');
      return expr === 'up' ? UP : [];
    },
  });
}

describe('templates of labels and annotations', () => {
  const f = (source: string, want: string, value?: number) =>
    it(`${source} becomes ${want}`, async () => assert.equal(await expand(source, value), want));

  f('plain text', 'plain text');
  f('Instance {{ $labels.instance }} down', 'Instance web-1:9100 down');
  f('{{ .Labels.job }}={{ .Value }}', 'node=12.5');
  f('{{ $labels.missing }}|', '|');
  f('{{ $labels.constructor }}{{ .toString }}|', '|');
  f(
    '{{ $externalLabels.region }} {{ $externalURL }} {{ externalURL }} {{ pathPrefix }}',
    'eu http://nines.example/base http://nines.example/base /base',
  );
  f('{{ $value }}', '1e+21', 1e21);
  f('{{ $value }}', '1e+06', 1e6);
  f('{{ $value }}', '+Inf', Number.POSITIVE_INFINITY);
  f('{{ $value | humanize }}', '1.235M', 1234567);
  f('{{ $value | humanize }}', '12m', 0.012);
  f('{{ humanize1024 $value }}', '2ki', 2048);
  f('{{ $value | humanizePercentage }}', '99.95%', 0.9995);
  f('{{ $value | humanizeDuration }}', '1d 2h 3m 4s', 93784);
  f('{{ $value | humanizeDuration }}', '12.5s');
  f('{{ $value | humanizeDuration }}', '5ms', 0.005);
  f('{{ $value | humanizeTimestamp }}', '2015-05-05 05:05:05.5 +0000 UTC', 1430802305.5);
  f('{{ printf "%.2f %s %d%%" $value $labels.job 7 }}', '12.50 node 7%');
  f('{{ printf "%5.1f|%-6s|%03d" $value "ab" 7 }}', ' 12.5|ab    |007');
  f('{{ if gt $value 10.0 }}high{{ else if gt $value 5.0 }}mid{{ else }}low{{ end }}', 'high');
  f('{{ if gt $value 10.0 }}high{{ else if gt $value 5.0 }}mid{{ else }}low{{ end }}', 'mid', 7);
  f('{{ if gt $value 10.0 }}high{{ else if gt $value 5.0 }}mid{{ else }}low{{ end }}', 'low', 1);
  f('{{ if and (eq $labels.job "node") (not false) }}yes{{ end }}', 'yes');
  f('{{ with $labels.job }}job {{ . }}{{ end }}', 'job node');
  f('{{ range query "up" | sortByLabel "instance" }}{{ .Labels.instance }}={{ .Value }} {{ end }}', 'a:9100=1 b:9100=0 ');
  f('{{ range $i, $s := query "up" }}{{ $i }}:{{ $s.Labels.instance }};{{ end }}', '0:b:9100;1:a:9100;');
  f('{{ range query "none" }}x{{ else }}empty{{ end }}', 'empty');
  f('{{ query "up" | first | value }} {{ label "instance" (query "up" | first) }}', '0 b:9100');
  f('{{ $n := "x" }}{{ if true }}{{ $n = "y" }}{{ end }}{{ $n }}', 'y');
  f('a {{- /* quiet */ -}} b', 'ab');
  f('a {{- " x " -}} b', 'a x b');
  f('{{ reReplaceAll "(.*):\\\\d+" "host $1" $labels.instance }}', 'host web-1');
  f('{{ $labels.instance | stripPort | toUpper }} {{ title "two words" }}', 'WEB-1 Two Words');
  f('{{ match "^web" $labels.instance }} {{ len $labels.job }} {{ index $labels "job" }}', 'true 4 node');
  f('{{ "quoted \\"}}\\" text" }}', 'quoted "}}" text');
  f('{{ now }} {{ now | toTime }}', '1.4308023055e+09 2015-05-05 05:05:05.5 +0000 UTC');
  f('{{ (toTime $value).Format "Mon Jan _2 15:04:05.000 MST 2006" }}', 'Tue May  5 05:05:05.500 UTC 2015', 1430802305.5);
  f('{{ (toTime $value).Year }}-{{ (toTime $value).Month }} {{ (now | toTime).Weekday }}', '2015-May Tuesday', 1430802305.5);
  f('{{ with toTime $value }}{{ .Format "02.01.06 3:04pm" }} {{ .Unix }}{{ end }}', '05.05.15 5:05am 1430802305', 1430802305.5);
  f('{{ toDuration $value }} {{ toDuration 0.25 }} {{ toDuration 3723.5 }}', '1m30s 250ms 1h2m3.5s', 90);
  f(
    '{{ define "who" }}{{ .instance }}!{{ end }}{{ template "who" $labels }} {{ tmpl "who" .Labels | toUpper }}',
    'web-1:9100! WEB-1:9100!',
  );
  f('{{ block "b" $labels.job }}<{{ . }}|{{ $ }}>{{ end }}', '<node|node>');
  f('{{ range query "up" }}{{ if eq .Value 1.0 }}{{ break }}{{ end }}{{ .Labels.instance }};{{ end }}', 'b:9100;');
  f('{{ range query "up" }}{{ if eq .Value 0.0 }}{{ continue }}{{ end }}{{ .Labels.instance }};{{ end }}', 'a:9100;');
  f('{{ slice $labels.job 1 3 }} {{ slice $labels.job 2 }} {{ js "it\'s <b>" }}', `od de it\\'s \\u003Cb\\u003E`);
  f('{{ $labels }}', 'map[instance:web-1:9100 job:node]');
});

describe('a template that fails', () => {
  const f = (source: string, want: RegExp) => it(`${source} still gives a text`, async () => assert.match(await expand(source), want));
  f('{{ query "bad(" | first | value }}', /^<error expanding template: .*parse error/);
  f('{{ query "none" | first | value }}', /^<error expanding template: first\(\) called on vector with no elements>$/);
  f('{{ humanize $labels.job }}', /^<error expanding template: humanize: not a number: node>$/);
  f('{{ $nobody }}', /undefined variable "\$nobody"/);

  it('is refused while reading when it names no function, as Prometheus does', () => {
    for (const name of ['nothing', 'constructor']) {
      const parsed = parseTemplate(`{{ ${name} 1 }}`);
      assert.equal(parsed.ok ? '' : parsed.error, `function "${name}" not defined`);
    }
  });

  it('is refused while reading when it cannot be parsed', () => {
    for (const source of [
      '{{ $labels.x',
      '{{ if true }}x',
      '{{ end }}',
      '{{ "open }}',
      '{{ | }}',
      '{{ define "x" }}',
      '{{ define x }}{{ end }}',
      '{{ break }}',
    ]) {
      assert.equal(parseTemplate(source).ok, false, source);
    }
  });

  f('{{ template "nobody" }}', /template "nobody" not defined/);
  f('{{ define "a" }}{{ template "a" . }}{{ end }}{{ template "a" . }}', /call each other deeper than 100/);

  it('does not run without bound when templates call each other', async () => {
    const levels = Array.from(
      { length: 40 },
      (_, i) => `{{ define "t${i}" }}{{ template "t${i + 1}" }}{{ template "t${i + 1}" }}{{ end }}`,
    );
    assert.match(await expand(`${levels.join('')}{{ define "t40" }}{{ end }}{{ template "t0" }}`), /takes more than 100000 steps/);
  });

  it('does not grow without bound', async () => {
    const many = '{{ range query "up" }}'.repeat(12) + 'x'.repeat(1000) + '{{ end }}'.repeat(12);
    assert.match(await expand(many), /grew beyond/);
  });
});
