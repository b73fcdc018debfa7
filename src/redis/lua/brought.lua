#!lua flags=allow-oom
-- A node has brought what it kept, or (no node) asks whether all have.
-- KEYS: 1 root
-- ARGV: node or nothing; a seq up to which numbers may have been given
-- REPLY: 1 if nothing is waited for any more; how many conversations and sanctions are yet to be restored
local node, given = ARGV[1], tonumber(ARGV[2])
local id, epoch = string.match(redis.call('GET', K_epoch()) or '', '^(%S+) (%d+)$')
-- The clock of this Redis may be behind that of the one before.
if id and given >= tonumber(epoch) then
  redis.call('SET', K_epoch(), id .. ' ' .. string.format('%.0f', given + 1))
end
if node ~= '' then
  redis.call('SADD', K_brought(), node)
  redis.call('PEXPIRE', K_brought(), 60000)
end
local kept = redis.call('SCARD', K_returning()) + redis.call('ZCARD', K_sanctions())
local function have_brought(nodes)
  for _, other in ipairs(nodes) do
    if redis.call('SISMEMBER', K_brought(), other) == 0 then return false end
  end
  return true
end
if redis.call('EXISTS', K_hold()) == 1 and not have_brought(redis.call('ZRANGE', K_nodes(), 0, -1)) then
  return { 0, kept }
end
if not have_brought(redis.call('SMEMBERS', K_coming())) then return { 0, kept } end
redis.call('DEL', K_hold(), K_coming())
return { 1, kept }
