interface PlexMediaItem {
  ratingKey: string;
  key: string;
  guid?: string;
  type: 'movie' | 'show' | 'season' | 'episode' | 'artist' | 'album' | 'track';
  title: string;
  titleSort?: string;
  originalTitle?: string;
  summary?: string;
  rating?: number;
  audienceRating?: number;
  year?: number;
  contentRating?: string;
  duration?: number;
  originallyAvailableAt?: string;
  addedAt: string;
  updatedAt: string;
  art?: string;
  thumb?: string;
  banner?: string;
  theme?: string;
  studio?: string;
  tagline?: string;
  genres?: PlexTag[];
  directors?: PlexTag[];
  writers?: PlexTag[];
  actors?: PlexActor[];
  countries?: PlexTag[];
  collections?: PlexTag[];
  media?: PlexMediaInfo[];
  library: PlexLibraryReference;
}

interface PlexLibraryReference {
  id: string;
  title: string;
  type: string;
}

interface PlexTag {
  id?: number;
  tag: string;
}

interface PlexActor extends PlexTag {
  role?: string;
  thumb?: string;
}

interface PlexMediaInfo {
  id: number;
  duration: number;
  bitrate: number;
  width: number;
  height: number;
  aspectRatio: number;
  audioChannels: number;
  audioCodec: string;
  videoCodec: string;
  videoResolution: string;
  container: string;
  videoFrameRate: string;
  videoProfile: string;
  parts: PlexMediaPart[];
}

interface PlexMediaPart {
  id: number;
  key: string;
  duration: number;
  file: string;
  size: number;
  container: string;
  videoProfile: string;
}

interface PlexLibrary {
  id: string;
  key: string;
  title: string;
  type: 'movie' | 'show' | 'artist' | 'photo';
  agent: string;
  scanner: string;
  language: string;
  uuid: string;
  refreshing: boolean;
  createdAt: string;
  updatedAt: string;
  scannedAt: string;
  content: boolean;
  directory: boolean;
  contentChangedAt: number;
  hidden: number;
  location: PlexLocation[];
  statistics: PlexLibraryStatistics;
  filters?: PlexFilter[];
}

interface PlexLocation {
  id: number;
  path: string;
}

interface PlexLibraryStatistics {
  count: number;
  totalSize: number;
  totalDuration: number;
  seasons?: number;
  episodes?: number;
}

interface PlexFilter {
  filter: string;
  filterType: string;
  key: string;
  title: string;
  type: string;
}
