async function browseMovieLibrary(page = 0, pageSize = 50) {
  const start = page * pageSize;
  
  const response = await fetch(
    `/api/v1/plex/libraries/1/items?start=${start}&size=${pageSize}&sort=titleSort`,
    {
      headers: {
        'Authorization': `Bearer ${getToken()}`
      }
    }
  );
  
  const result = await response.json();
  
  if (!result.success) {
    throw new Error(result.error.message);
  }
  
  return {
    items: result.data.items,
    pagination: result.data.pagination,
    hasMore: result.data.pagination.hasMore
  };
}
