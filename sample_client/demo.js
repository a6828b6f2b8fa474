// The users that the sign-in page shows. `make demo` serves a copy of this file with the demo's.
export const users = [];
