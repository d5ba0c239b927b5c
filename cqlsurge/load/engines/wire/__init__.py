"""The engine that speaks CQL itself: one process, one thread, one epoll; frames are made and read in batches.

Who does what, from the inside out:
  connection   one connection: stream ids and their slots; `buffers_cffi` and `buffers_python` hold its bytes
  backend      how this interpreter handles bytes, chosen once; load/compiled makes frames and judges answers that way
  plan         operation number -> kind, row, token, for the loop; by the block with numpy
  router       token -> connection
  load         what one phase of load keeps
  loop         the hot loop: issue, flush, receive
  answers, retries, deadlines, verify     everything that is not a plain success
  handshake, pool                         connecting, and connecting again
  warm         compiles the loop before the clock starts (PyPy)
  engine       the contract
"""
