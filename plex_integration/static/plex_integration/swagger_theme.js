// Swagger UI has a dark theme, but without its top bar nothing switches it on.
'use strict';

const scheme = window.matchMedia('(prefers-color-scheme: dark)');
const showScheme = () => document.documentElement.classList.toggle('dark-mode', scheme.matches);
scheme.addEventListener('change', showScheme);
showScheme();
