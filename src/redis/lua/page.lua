#!lua flags=no-writes,allow-oom
-- A page of history, oldest first.
-- INCLUDE: head, position, stretch
-- KEYS: 1 root
-- ARGV: conversation, limit, bytes, before or nothing, after or nothing, the seq up to which entries stay hidden
-- REPLY: 1 if there is more in the direction of reading, items
local conv, limit, bytes = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local before, after, hidden = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local log = K_log(conv)
local h = head_of(redis.call('GET', K_head(conv)))
local len = redis.call('LLEN', log)
local lowest = upto(log, h, len, hidden)
if after then
  local from = math.max(lowest, upto(log, h, len, after))
  local items = stretch(log, from, math.min(len, from + limit) - 1, bytes)
  return { from + #items < len and 1 or 0, items }
end
local to = before and upto(log, h, len, before - 1) or len
local items = stretch_back(log, math.max(lowest, to - limit), to - 1, bytes)
return { to - #items > lowest and 1 or 0, items }
