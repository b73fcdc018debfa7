-- What nodes kept of a log, beside the log.
local function log_of(conv)
  return {
    conv = conv,
    key = K_log(conv),
    h = head_of(redis.call('GET', K_head(conv))),
    len = redis.call('LLEN', K_log(conv)),
    buried = tonumber(redis.call('ZSCORE', K_graves(), redis.sha1hex(conv)) or 0),
  }
end

-- Whether an entry is not there though nobody took it away.
local function is_missing(log, q)
  local h = log.h
  if q <= log.buried or q <= h[TR] then return false end
  if h[S] == 0 or q > h[S] then return true end
  if q >= h[B] then return false end
  local index = upto(log.key, h, log.len, q)
  return index == 0 or seq_at(log.key, index - 1) ~= q
end
