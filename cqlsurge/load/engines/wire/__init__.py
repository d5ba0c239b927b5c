"""The engine that speaks CQL itself: one process, one thread, one epoll; frames are made and read in batches.

Who does what, from the inside out:
  connection   one connection: stream ids and their slots; `buffers_cffi` and `buffers_python` hold its bytes
  requests     EXECUTE frames as templates; `kv_cffi` and `kv_python` fill those of the key-value workload
  plan         operation number -> kind, key, token, for the loop
  router       token -> connection
  state        what one phase of load keeps
  loop         the hot loop: issue, flush, receive
  answers, retries, deadlines, verify     everything that is not a plain success
  handshake, pool                         connecting, and connecting again
  warm         compiles the loop before the clock starts (PyPy)
  engine       the contract
"""
