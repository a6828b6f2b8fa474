// Start ReDoc, in dark colors where the browser prefers them.
'use strict';

const DARK = {
  colors: {
    primary: { main: '#8ab8ff' },
    success: { main: '#7fd694' },
    error: { main: '#ff9d92' },
    text: { primary: '#e3e8f0', secondary: '#a3aebf' },
    border: { dark: '#3b434e', light: '#343e4f' },
    responses: { redirect: { color: '#f2d28a', backgroundColor: '#3f2f0a' } },
    gray: { 50: '#1a202a', 100: '#262c33' },
  },
  schema: { nestedBackground: '#1a202a', linesColor: '#66738a', typeNameColor: '#a3aebf', typeTitleColor: '#a3aebf' },
  sidebar: { backgroundColor: '#161b24', textColor: '#e3e8f0', activeTextColor: '#8ab8ff' },
  rightPanel: { backgroundColor: '#10141b' },
  codeBlock: { backgroundColor: '#0b0e13' },
  typography: { code: { color: '#ffb4ab', backgroundColor: '#262c33' }, links: { color: '#8ab8ff', visited: '#8ab8ff', hover: '#b5d0ff' } },
};

const place = document.getElementById('redoc');
const isDark = window.matchMedia('(prefers-color-scheme: dark)').matches;
Redoc.init(place.dataset.schema, isDark ? { theme: DARK } : {}, place);
