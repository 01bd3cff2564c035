import multiprocessing


def fill(queue):
    queue.put("x" * 200000)


if __name__ == "__main__":
    multiprocessing.set_start_method("fork")
    queue = multiprocessing.Queue()
    child = multiprocessing.Process(target=fill, args=(queue,))
    child.start()
    child.join()
    print(len(queue.get()))
