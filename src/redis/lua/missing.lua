#!lua flags=no-writes,allow-oom
-- Which of the entries that a node kept are not there though nobody took them away.
-- INCLUDE: head, position, kept
-- KEYS: 1 root
-- ARGV: per conversation its name, how many seqs, the seqs
-- REPLY: 1 or 0 for each seq
local reply, i = {}, 1
while i < #ARGV do
  local log, count = log_of(ARGV[i]), tonumber(ARGV[i + 1])
  for k = i + 2, i + 1 + count do reply[#reply + 1] = is_missing(log, tonumber(ARGV[k])) and 1 or 0 end
  i = i + 2 + count
end
return reply
