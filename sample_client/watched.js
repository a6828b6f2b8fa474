// The button that marks an item as watched, and the bar that shows how far it was played.

import { element } from './elements.js';
import { setWatched } from './requests.js';

const TYPES = ['movie', 'show', 'season', 'episode'];

// The state belongs to the user's Plex account: users without one have nothing to mark.
let canMark = false;

export function allowMarking(isAllowed) {
  canMark = isAllowed;
}

/** Return the elements that show an item's watch state: none, one or two. */
export function watchState(item, view) {
  if (!TYPES.includes(item.type)) return [];
  return [progress(item), canMark && watchedButton(item, view)];
}

function progress({ playbackProgress: { viewOffset }, duration }) {
  if (!viewOffset || !duration) return null;
  return element('progress', { value: viewOffset, max: duration, ariaLabel: 'Progress' });
}

function watchedButton(item, view) {
  const id = `watched-${item.ratingKey}`;
  const button = element('button', { id, className: 'watched' }, 'Watched');
  button.ariaLabel = `Watched: ${item.title ?? 'Untitled'}`;
  button.ariaPressed = String(isWatched(item));
  button.addEventListener('click', () => toggle(item, button, view));
  return button;
}

function isWatched(item) {
  const { leafCount, viewedLeafCount, playbackProgress } = item;
  return leafCount ? viewedLeafCount >= leafCount : playbackProgress.viewCount > 0;
}

async function toggle(item, button, view) {
  const address = location.href;
  // The user may leave the view before the service responds.
  const isLeft = () => location.href !== address;
  try {
    await setWatched(item.ratingKey, !isWatched(item));
    if (!isLeft()) await view.reload(button.id);
  } catch (error) {
    if (!isLeft()) document.getElementById('status').textContent = error.message;
  }
}
