// Continue when the code has been entered: request this page in the background, which does not
// disturb a reader or a screen reader, and load it when it redirects: it then leads on.
const waiting = document.getElementById('waiting');

setInterval(async () => {
  const response = await fetch(location.href, { redirect: 'manual' });
  if (response.type === 'opaqueredirect') {
    location.reload();
  } else if (response.ok) {
    const page = new DOMParser().parseFromString(await response.text(), 'text/html');
    waiting.textContent = page.getElementById('waiting').textContent;
  }
}, waiting.dataset.seconds * 1000);
