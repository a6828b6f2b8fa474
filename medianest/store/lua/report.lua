-- Store a report with the time of now, and delete those that are too old.
-- KEYS[1]  a hash of reports by their names; a report is "<seconds of the epoch> <text>"
-- ARGV     1 name, 2 text, 3 seconds that a report is stored
-- Redis's own clock decides, so that reports of all machines can be compared.
local now, seconds = tonumber(redis.call('TIME')[1]), tonumber(ARGV[3])
local reports = redis.call('HGETALL', KEYS[1])
for i = 1, #reports, 2 do
  local written = tonumber(string.match(reports[i + 1], '^%d+')) or 0
  if written < now - seconds then redis.call('HDEL', KEYS[1], reports[i]) end
end
redis.call('HSET', KEYS[1], ARGV[1], string.format('%.0f %s', now, ARGV[2]))
redis.call('EXPIRE', KEYS[1], seconds)
return 1
