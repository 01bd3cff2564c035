     try:
       fd.write(final)
       fd.flush()
       continue  # Done.
     except BrokenPipeError:
       pass

     redo_write = (len(final) > self._sink_buffer_size)  # 4096

     while not self._the_end.is_set():
       try:
         if redo_write:
           fd.write(final)
         fd.flush()
         break  # Done.
       except BrokenPipeError:
         time.sleep(5)  # Wait 5 seconds for a reconnect.
