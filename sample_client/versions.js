// The files of an item: one or more versions, each with its streams.

import { definitions, element } from './elements.js';
import { size } from './formats.js';

export function versions({ media = [] }) {
  if (media.length === 0) return null;
  const title = media.length > 1 ? 'Versions' : 'File';
  return element('section', {}, element('h2', {}, title), media.map(version));
}

function version(media) {
  const streams = media.parts.flatMap((part) => part.streams);
  return definitions({
    Video: video(media),
    Audio: streamNames(streams, 'audio'),
    Subtitles: streamNames(streams, 'subtitle'),
    File: file(media),
  });
}

function video({ videoResolution, videoCodec, width, height, videoFrameRate }) {
  const picture = width && height && `${width} × ${height}`;
  return [videoResolution, videoCodec, picture, videoFrameRate].filter(Boolean);
}

function file({ container, bitrate, parts }) {
  const total = parts.reduce((sum, part) => sum + (part.size ?? 0), 0);
  const rate = bitrate && `${(bitrate / 1000).toFixed(1)} Mbps`;
  return [container, total > 0 && size(total), rate].filter(Boolean);
}

function streamNames(streams, type) {
  return streams
    .filter(({ streamType }) => streamType === type)
    .map(({ displayTitle, language, codec }) => displayTitle ?? language ?? codec)
    .filter(Boolean);
}

