"""S3 by plain HTTP: a presigned URL that is opened with urllib.request, http.client, urllib3 or requests.

connections   what those libraries connect to: for S3's hosts an object of this process, no socket
message       the text of a request and of a response
endpoint      one request to S3: who sent it, what it asks for, what the table of operations answers
signatures    presigned URLs and signed requests: is the signature right, has it expired
form          a browser's form with a presigned POST
routing       method, path, query and headers of a request <-> operation and parameters, by botocore's service model
document      the XML documents of requests and responses

Every other host is as it was: refused inside a handler, the real one outside of it.
"""

from simbus.sdk.http.connections import install

__all__ = ["install"]
