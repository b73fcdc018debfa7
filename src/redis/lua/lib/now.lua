-- The store's time, the only clock that decides anything: us in microseconds, now in milliseconds.
local clock = redis.call('TIME')
local us = clock[1] * 1000000 + clock[2]
local now = math.floor(us / 1000)
