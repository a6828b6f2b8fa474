-- Take a lease that nobody holds.
-- KEYS[1]  the lease; ARGV  1 the holder's token, 2 milliseconds
-- returns  1 if it is taken now
local held = redis.call('GET', KEYS[1])
if held and string.sub(held, 1, 7) ~= 'failed:' then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
