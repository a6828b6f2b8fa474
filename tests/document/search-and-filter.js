async function searchAndFilter(query, options = {}) {
  const params = new URLSearchParams({
    query,
    limit: options.limit || 50
  });
  
  if (options.type) params.append('type', options.type);
  
  const response = await fetch(
    `/api/v1/plex/search?${params}`,
    {
      headers: {
        'Authorization': `Bearer ${getToken()}`
      }
    }
  );
  
  const result = await response.json();
  
  return result.success ? result.data.results : [];
}

// Usage
const tvShows = await searchAndFilter('breaking', { type: 'show', limit: 10 });
const movies = await searchAndFilter('matrix', { type: 'movie' });
