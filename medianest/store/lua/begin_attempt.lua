-- Begin an attempt that counts only if it fails, unless too many failed recently.
-- KEYS[1]  a sorted set: attempts by their time (microseconds); "p:" open, "f:" failed
-- ARGV     1 limit, 2 window in microseconds, 3 id of this attempt
-- returns  { 1 begun, 0 wait for an open attempt to end, -1 refused; us until the oldest leaves }
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local limit, window = tonumber(ARGV[1]), tonumber(ARGV[2])

redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now - window))
local attempts = redis.call('ZRANGE', KEYS[1], 0, -1, 'WITHSCORES')
local used = #attempts / 2
if used < limit then
  redis.call('ZADD', KEYS[1], string.format('%.0f', now), 'p:' .. ARGV[3])
  redis.call('PEXPIRE', KEYS[1], math.ceil(window / 1000))
  return { 1, 0 }
end
for index = 1, #attempts, 2 do
  if string.sub(attempts[index], 1, 2) == 'p:' then return { 0, 0 } end
end
return { -1, tonumber(attempts[2]) + window - now }
