// Run one of the document's examples unchanged, and print one value of it as JSON:
//   node run.js <service> <token> <example> <expression>
// `fetch` takes the paths of the service, and `getToken` returns the token: what a page would have.
const { readFile } = require('node:fs/promises');

const [service, token, example, expression] = process.argv.slice(2);
const { fetch } = globalThis;
globalThis.fetch = (path, options) => fetch(new URL(path, service), options);
globalThis.getToken = () => token;

async function main() {
  const source = `${await readFile(example, 'utf8')}\nexport default ${expression};`;
  const module = await import(`data:text/javascript;charset=utf-8,${encodeURIComponent(source)}`);
  console.log(JSON.stringify(module.default));
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
