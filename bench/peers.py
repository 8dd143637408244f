"""The peers: mosquitto, Apache Kafka, Spark. Each is started on loopback and stopped by the handle that it gave."""
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

REPO = Path(__file__).resolve().parent.parent
CACHE = REPO / ".cache"
KAFKA = "4.1.0"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_port(port, seconds=60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with socket.socket() as s:
            if s.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise RuntimeError(f"nothing listens on port {port}")


class Mosquitto:
    def __init__(self, folder):
        binary = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
        if not Path(binary).exists():
            raise FileNotFoundError("mosquitto is missing: apt-get install mosquitto")
        self.port = free_port()
        conf = Path(folder) / "mosquitto.conf"
        conf.write_text(f"listener {self.port} 127.0.0.1\nallow_anonymous true\npersistence false\nmax_inflight_messages 0\n"
                        "max_queued_messages 0\nlog_type none\nset_tcp_nodelay true\n")
        self.proc = subprocess.Popen([binary, "-c", conf], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_port(self.port)

    def stop(self):
        self.proc.terminate()
        self.proc.wait()


def kafka_jars():
    """Kafka's jars by Maven, once."""
    jars = CACHE / f"kafka-{KAFKA}"
    if not (jars / ".done").exists():
        jars.mkdir(parents=True, exist_ok=True)
        (jars / "pom.xml").write_text(f"""<project><modelVersion>4.0.0</modelVersion>
<groupId>bench</groupId><artifactId>kafka</artifactId><version>1</version><dependencies>
<dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>{KAFKA}</version></dependency>
<dependency><groupId>org.apache.kafka</groupId><artifactId>kafka-tools</artifactId><version>{KAFKA}</version></dependency>
<dependency><groupId>org.slf4j</groupId><artifactId>slf4j-nop</artifactId><version>1.7.36</version></dependency>
</dependencies></project>""")
        subprocess.run(["mvn", "-q", "-B", "dependency:copy-dependencies", "-DoutputDirectory=jars"], cwd=jars, check=True)
        (jars / ".done").touch()
    return f"{jars}/jars/*"


class Kafka:
    """One broker, four partitions a topic."""

    def __init__(self, folder):
        self.jars = kafka_jars()
        self.port, controller = free_port(), free_port()
        folder = Path(folder)
        conf = folder / "server.properties"
        conf.write_text(f"""process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{self.port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{self.port}
controller.listener.names=CONTROLLER
log.dirs={folder}/logs
num.partitions=4
offsets.topic.replication.factor=1
auto.create.topics.enable=true
""")
        java = ["java", "-Xmx1g", "-cp", self.jars]
        subprocess.run([*java, "kafka.tools.StorageTool", "format",
                        "-t", "bWFyaXNtYS1iZW5jaC0xMg", "-c", conf], check=True, stdout=subprocess.DEVNULL)
        self.log = open(folder / "kafka.log", "wb")
        self.proc = subprocess.Popen([*java, "kafka.Kafka", conf], stdout=self.log, stderr=subprocess.STDOUT)
        wait_port(self.port)

    def stop(self):
        self.proc.terminate()
        self.proc.wait()


def spark_stream(port, table, checkpoint, out, mode):
    """Starts bench/spark_stream.py; the caller waits or stops it."""
    env = {**os.environ, "TZ": "UTC"}
    return subprocess.Popen([sys.executable, REPO / "bench" / "spark_stream.py", f"127.0.0.1:{port}", table, checkpoint, out, mode],
                            env=env, stdout=subprocess.DEVNULL, stderr=open(f"{out}.log", "wb"))
