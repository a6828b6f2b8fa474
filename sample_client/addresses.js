// Addresses of this client and of the service.

/** ("search", { query: "the", type: "" }) → "search?query=the": without what has no value. */
export function withQuery(path, parameters) {
  const known = Object.entries(parameters).filter(([, value]) => (value ?? '') !== '');
  return known.length ? `${path}?${new URLSearchParams(known)}` : path;
}
