// Go on by itself once the code is linked: ask this page again in the background, so that nobody
// who reads it is interrupted, and follow only when it leads elsewhere.
const waiting = document.getElementById('waiting');

setInterval(async () => {
  const answer = await fetch(location.href, { redirect: 'manual' });
  if (answer.type === 'opaqueredirect') {
    location.assign(waiting.dataset.back);
  } else if (answer.ok) {
    const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
    waiting.textContent = page.getElementById('waiting').textContent;
  }
}, waiting.dataset.seconds * 1000);
