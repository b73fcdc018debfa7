-- A log is taken away: what a node still keeps of it must not come back after a failover. Its name is not written down,
-- for it may be of somebody who is to be forgotten; nodes keep things for seconds of Redis' time, graves last a day.
local GRAVE_US = 86400000000

-- Up to which seq: what comes under the same name later is another log.
local function bury(conv, upto_seq)
  redis.call('ZADD', K_graves(), 'GT', upto_seq, redis.sha1hex(conv))
  redis.call('ZREMRANGEBYSCORE', K_graves(), '-inf', us - GRAVE_US)
end
