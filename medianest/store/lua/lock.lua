-- Acquire a lock that nobody holds.
-- KEYS[1]  the lock; ARGV  1 the holder's token, 2 milliseconds until it expires
-- returns  1 if it is acquired
local held = redis.call('GET', KEYS[1])
if held and string.sub(held, 1, 7) ~= 'failed:' then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
