-- Record a failure of the guarded server.
-- KEYS[1]  the breaker's hash
-- ARGV     1 failures in a row that open it, 2 seconds after which it closes by itself
local failures = redis.call('HINCRBY', KEYS[1], 'failures', 1)
redis.call('EXPIRE', KEYS[1], ARGV[2])
if failures == tonumber(ARGV[1]) then
  local time = redis.call('TIME')
  redis.call('HSET', KEYS[1], 'probe', string.format('%.0f', time[1] * 1000000 + time[2]))
end
return failures
