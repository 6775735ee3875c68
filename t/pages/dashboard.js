// Writes a program that TypeScript takes if conf/grafana.json is what Grafana's own types
// say, and has it checked: node dashboard.js conf/grafana.json

const fs = require('fs');
const path = require('path');
const { execFileSync } = require('child_process');

const raw = '@grafana/schema/dist/esm/raw';
const options = { timeseries: 'TimeSeries', stat: 'Stat', bargauge: 'BarGauge' };
const { panels, templating, ...rest } = JSON.parse(fs.readFileSync(process.argv[2]));

// In JSON, an enum is its value.
let program = `
import type { Dashboard, Panel, RowPanel, VariableModel } from './node_modules/${raw}/dashboard/x/dashboard_types.gen';
${Object.entries(options).map(([type, name]) =>
    `import type { Options as ${type} } from './node_modules/${raw}/composable/${type}/panelcfg/x/${name}PanelCfg_types.gen';`).join('\n')}
import type { FieldConfig } from './node_modules/${raw}/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen';
type Json<T> = T extends string ? (string extends T ? string : \`\${T}\`) : T extends number ? number
    : T extends Array<infer U> ? Array<Json<U>> : T extends object ? { [K in keyof T]: Json<T[K]> } : T;
`;

let n = 0;
function check(type, value) {
    program += `export const value${n++}: ${type} = ${JSON.stringify(value)};\n`;
}

check('Json<Omit<Dashboard, "panels" | "templating">>', rest);
templating.list.forEach((variable) => check('Json<VariableModel>', variable));
for (const panel of panels) {
    check(panel.type === 'row' ? 'Json<RowPanel>' : 'Json<Panel>', panel);
    if (panel.type !== 'row') {
        check(`Partial<Json<${panel.type}>>`, panel.options);
    }
    if (panel.type === 'timeseries') {
        check('Json<FieldConfig>', panel.fieldConfig.defaults.custom);
    }
}

const file = path.join(__dirname, 'dashboard.ts');
fs.writeFileSync(file, program);
execFileSync(path.join(__dirname, 'node_modules/.bin/tsc'), ['--noEmit', '--strict', '--skipLibCheck',
    '--moduleResolution', 'bundler', '--module', 'esnext', '--target', 'es2022', file], { stdio: 'inherit' });
