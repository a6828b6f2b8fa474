// Continue when the code has been entered: request this page in the background, which does not
// disturb a reader or a screen reader, and load it when it redirects: it then leads on.
const waiting = document.getElementById('waiting');
const REQUEST_TIMEOUT = 30_000;

async function check() {
  const signal = AbortSignal.timeout(REQUEST_TIMEOUT);
  const response = await fetch(location.href, { redirect: 'manual', signal });
  if (response.type === 'opaqueredirect') {
    location.reload();
  } else if (response.ok) {
    const page = new DOMParser().parseFromString(await response.text(), 'text/html');
    waiting.textContent = page.getElementById('waiting').textContent;
  }
}

// One request after the other: a late response must not replace what a newer one says.
async function checkAgain() {
  try {
    await check();
  } catch {
    waiting.textContent = 'The service does not respond. Trying again.';
  }
  checkLater();
}

function checkLater() {
  setTimeout(checkAgain, waiting.dataset.seconds * 1000);
}

checkLater();
