# Its main thread waits for another one, which reads.
import os
import threading
reader = threading.Thread(target=os.read, args=(0, 1))
reader.start()
reader.join()
