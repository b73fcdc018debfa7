#!lua flags=no-writes,allow-oom
-- Members by uid in code-point order (which is the order of UTF-8 bytes).
-- KEYS: 1 root
-- ARGV: room, the uid to begin after or nothing, limit
-- REPLY: uid, role each
local from = ARGV[2] == '' and '-' or '(' .. ARGV[2]
local uids = redis.call('ZRANGEBYLEX', K_roll(ARGV[1]), from, '+', 'LIMIT', 0, ARGV[3])
local reply = {}
for _, uid in ipairs(uids) do
  reply[#reply + 1] = uid
  reply[#reply + 1] = string.match(redis.call('HGET', K_members(ARGV[1]), uid) or 'member', '^%S+')
end
return reply
