"""Tells a WarpDrive mount what is read next; it fetches just ahead (docs/plans.md).

    with OrderPlan(shards_of_all_epochs):  # ["/wd/azure/train/000.tar", ...] as they will be read
        for epoch in range(epochs):        # opened by this process or its DataLoader workers
            train(webdataset.WebDataset(order_of(epoch), shardshuffle=False))
"""
import http.client, json, os, socket
class OrderPlan:
    def __init__(self, paths):
        self.paths, self.stream, self.plan = [os.path.abspath(path) for path in paths], None, None

    def __enter__(self):
        root = os.path.realpath(self.paths[0])
        while not os.path.ismount(root):
            root = os.path.dirname(root)
        try:
            self.socket = os.getxattr(root, "user.warpdrive.socket").decode()
        except OSError:
            return self  # Not a WarpDrive mount, or one without sockets: read on without a plan
        self.stream = self._call("", {"items": self.paths[:10_000]})  # Open: the plan lives with it
        self.plan = json.loads(self.stream.readline())["plan"]
        for start in range(10_000, len(self.paths), 10_000):
            self._call(f"/{self.plan}/items", {"items": self.paths[start:start + 10_000]}).close()
        return self

    def progress(self, position):  # Only needed where opens of whole files do not tell
        return self.plan and self._call(f"/{self.plan}/progress", {"position": position}).close()

    def __exit__(self, *_):
        return self.stream and self.stream.close()

    def _call(self, path, body):
        link = http.client.HTTPConnection("mount")
        link.sock = socket.socket(socket.AF_UNIX)
        link.sock.connect(self.socket)
        link.request("POST", "/v1/plans" + path, json.dumps(body))
        answer = link.getresponse()
        if answer.status == 200:
            return answer
        raise OSError(json.loads(answer.read())["error"]["message"])
