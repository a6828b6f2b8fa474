// Show each number of seconds in words beside its field: 1800 is "30 min".
const UNITS = [[3600, 'h'], [60, 'min'], [1, 's']];

function inWords(text) {
  let seconds = Number(text);
  if (!/^\d+$/.test(text.trim())) return '';
  const words = UNITS.map(([size, unit]) => {
    const number = Math.floor(seconds / size);
    seconds %= size;
    return number ? `${number} ${unit}` : '';
  });
  return words.filter(Boolean).join(' ') || '0 s';
}

for (const output of document.querySelectorAll('output[for]')) {
  const field = document.getElementById(output.htmlFor.value);
  const show = () => { output.value = inWords(field.value); };
  field.addEventListener('input', show);
  // Somebody may have typed before this script ran.
  show();
}
