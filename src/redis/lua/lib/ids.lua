-- What letters with an id were stored as, by generation.
local call, format, match, byte, sub = redis.call, string.format, string.match, string.byte, string.sub

-- Seq and ts, in 13 bytes.
local STORED = '<I7I6'

-- By what an id is remembered. mark is the byte of the letter's mark, which in a dm tells who wrote it.
local function name_of_id(conv, mark, sender, id)
  if sub(conv, 1, 3) == 'dm:' then return conv .. (mark % 2 == 1 and '>' or '<') .. id end
  return conv .. ' ' .. sender .. ' ' .. id
end

-- The names of the present generation and of the one before. An id is known while it is in one of them: so for at least
-- as long as a generation is the present one, DEDUP ms. Ids have no life of their own each: that would cost more than
-- storing a message. A clock that is set back begins no generation, unless it goes back so far that the present one
-- would last too long.
local function generations(known)
  local present, past = match(known or '', '^(%d+) (%d+)$')
  if present and math.abs(now - present) < DEDUP then return present, past end
  if past then call('UNLINK', K_ids(past)) end
  present, past = format('%.0f', now), present or '0'
  call('SET', K_generations(), present .. ' ' .. past)
  call('HSET', K_ids(present), '', '')
  call('PEXPIRE', K_ids(present), DEDUP_LIFE)
  return present, past
end
