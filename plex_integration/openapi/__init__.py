"""The OpenAPI document: how it is completed, what all its operations share, how it is served.

drf-spectacular describes the serializers, views and URLs. `document.complete` adds what every
response has around them, so that the document says what is really sent:

- `envelopes`   the schemas of responses around their data
- `headers`     the headers of responses
- `problems`    the errors of each operation
- `examples`    the responses of `plex_integration/examples`
- `parameters`  parameters that several operations share
- `extensions`  fields and serializers that drf-spectacular cannot describe by itself
- `renderers`   the document as YAML
- `generation`  the document, generated once
- `views`       the document as the service answers it
- `page`        the document as a page
"""
