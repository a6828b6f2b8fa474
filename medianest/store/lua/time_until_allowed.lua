-- Return when the guarded server may be called: now while it works, else once per pause.
-- KEYS[1]  a hash: "failures" in a row, "probe" the time (microseconds) of the last call
-- ARGV     1 failures in a row that open the breaker, 2 pause in microseconds
-- returns  microseconds to wait; 0: call now
local failures = tonumber(redis.call('HGET', KEYS[1], 'failures') or 0)
if failures < tonumber(ARGV[1]) then return 0 end
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local wait = tonumber(redis.call('HGET', KEYS[1], 'probe') or 0) + tonumber(ARGV[2]) - now
if wait > 0 then return wait end
redis.call('HSET', KEYS[1], 'probe', string.format('%.0f', now))
return 0
