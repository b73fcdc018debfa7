#!lua flags=no-writes,allow-oom
-- A message and the entries that edited it.
-- INCLUDE: head, position
-- KEYS: 1 root
-- ARGV: conversation, seq
-- REPLY: the item or nothing; seq, item of each edit
local conv = ARGV[1]
local log = K_log(conv)
local h, len = head_of(redis.call('GET', K_head(conv))), redis.call('LLEN', log)
local function item_at(seq)
  local index = upto(log, h, len, seq) - 1
  local item = index >= 0 and redis.call('LINDEX', log, index)
  return item and tonumber(string.match(item, '"seq":(%d+)')) == seq and item
end
local reply = { item_at(tonumber(ARGV[2])) }
for _, edit in ipairs(redis.call('ZRANGEBYSCORE', K_edits(conv), ARGV[2], ARGV[2])) do
  local seq = tonumber(edit)
  local item = item_at(seq)
  if item then
    reply[#reply + 1] = seq
    reply[#reply + 1] = item
  end
end
return reply
