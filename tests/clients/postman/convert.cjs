// Prints the Postman collection that an import of the OpenAPI document creates.

const { readFileSync } = require('node:fs');
const { convertV2 } = require('openapi-to-postmanv2');

const data = readFileSync(process.argv[2], 'utf8');
convertV2({ type: 'string', data }, { folderStrategy: 'Tags' }, (error, { result, reason, output }) => {
  if (error || !result) throw error ?? new Error(reason);
  console.log(JSON.stringify(output[0].data));
});
