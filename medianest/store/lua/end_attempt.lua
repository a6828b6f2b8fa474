-- End an attempt: remove it, or count it as failed from the time it began.
-- KEYS[1]  the sorted set of begin_attempt.lua; ARGV  1 id of the attempt, 2 '1' if it failed
local began = redis.call('ZSCORE', KEYS[1], 'p:' .. ARGV[1])
if not began then return 0 end
redis.call('ZREM', KEYS[1], 'p:' .. ARGV[1])
if ARGV[2] == '1' then redis.call('ZADD', KEYS[1], began, 'f:' .. ARGV[1]) end
return 1
