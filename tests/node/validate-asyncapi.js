// Exit code 0 when the AsyncAPI document given is valid; otherwise prints what is wrong.
const { Parser } = require("@asyncapi/parser");
const fs = require("fs");

const ERROR = 0;

new Parser().parse(fs.readFileSync(process.argv[2], "utf8")).then(({ document, diagnostics }) => {
  const errors = diagnostics.filter((diagnostic) => diagnostic.severity === ERROR);
  for (const error of errors) console.log(`${error.path.join(".")}: ${error.message}`);
  process.exit(document && errors.length === 0 ? 0 : 1);
});
