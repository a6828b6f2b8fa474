/** @type {import('@hey-api/openapi-ts').UserConfig} */
export default {
  input: 'openapi.yaml',
  output: { path: 'generated', importFileExtension: '.js' },
};
