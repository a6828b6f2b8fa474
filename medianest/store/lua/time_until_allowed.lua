-- Tell whether Plex may be asked: always while it answers, else once per pause.
-- KEYS[1]  a hash: "failures" in a row, "probe" the moment (microseconds) of the last question
-- ARGV     1 failures that open the breaker, 2 pause in microseconds
-- returns  microseconds to wait; 0: ask now
local failures = tonumber(redis.call('HGET', KEYS[1], 'failures') or 0)
if failures < tonumber(ARGV[1]) then return 0 end
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local wait = tonumber(redis.call('HGET', KEYS[1], 'probe') or 0) + tonumber(ARGV[2]) - now
if wait > 0 then return wait end
redis.call('HSET', KEYS[1], 'probe', string.format('%.0f', now))
return 0
