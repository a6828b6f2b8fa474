// Numbers as people read them. The API has milliseconds, bytes and kbps.

/** 9571399 → "2 h 40 min" */
export function duration(milliseconds) {
  const minutes = Math.max(1, Math.round(milliseconds / 60_000));
  const hours = Math.floor(minutes / 60);
  return [hours && `${hours} h`, minutes % 60 && `${minutes % 60} min`].filter(Boolean).join(' ');
}

/** 1595233 → "26:35" */
export function position(milliseconds) {
  const seconds = Math.floor(milliseconds / 1000);
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const [first, ...rest] = parts[0] ? parts : parts.slice(1);
  return [first, ...rest.map((part) => String(part).padStart(2, '0'))].join(':');
}

/** 50608843359 → "50.6 GB" */
export function size(bytes) {
  return bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(1)} GB`;
}

/** 300 → "5 minutes ago" */
export function ago(seconds) {
  const units = [['day', 86_400], ['hour', 3600], ['minute', 60]];
  const found = units.find(([, length]) => seconds >= length);
  if (!found) return 'less than a minute ago';
  const [unit, length] = found;
  return new Intl.RelativeTimeFormat('en').format(-Math.floor(seconds / length), unit);
}

/** (1, "title") → "1 title", (2, "title") → "2 titles" */
export function count(number, noun) {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
