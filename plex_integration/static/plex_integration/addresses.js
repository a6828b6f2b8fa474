// Test the addresses one after another, a few at the same time, and show each result as it arrives.
// The first reachable address of the list is the best one: it is selected unless the operator has
// selected another.
const PARALLEL = 4;
const form = document.getElementById('addresses');
const progress = document.getElementById('progress');
const rows = [...form.querySelectorAll('li')];
const waiting = [...rows];
const csrf = form.elements.csrfmiddlewaretoken.value;
// The operator may have selected an address before this script ran.
let hasChosen = rows.some((row) => {
  const { checked, defaultChecked } = row.querySelector('input');
  return checked !== defaultChecked;
});
let tested = 0;

async function test(row) {
  const body = new URLSearchParams({ csrfmiddlewaretoken: csrf, address: row.querySelector('input').value });
  try {
    const response = await fetch(form.dataset.test, { method: 'POST', body });
    return await response.json();
  } catch {
    return { isReachable: false, message: 'Not tested: this service did not respond. Try again.' };
  }
}

function show(row, { isReachable, message }) {
  const result = row.querySelector('.result');
  result.textContent = message;
  result.className = `result ${isReachable ? 'passed' : 'failed'}`;
  tested += 1;
  progress.textContent = `Tested ${tested} of ${rows.length}.`;
}

function select() {
  const best = rows.find((row) => row.querySelector('.passed'));
  if (best && !hasChosen) best.querySelector('input').checked = true;
}

async function work() {
  for (let row = waiting.shift(); row; row = waiting.shift()) {
    row.querySelector('.result').textContent = 'Testing…';
    show(row, await test(row));
    select();
  }
}

function summarize() {
  const reachable = rows.filter((row) => row.querySelector('.passed')).length;
  progress.textContent = `Tested all. Reachable addresses: ${reachable} of ${rows.length}.`;
  document.getElementById('again').hidden = false;
}

form.addEventListener('change', () => { hasChosen = true; });
Promise.all(Array.from({ length: PARALLEL }, work)).then(summarize);
