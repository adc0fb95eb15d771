"""boto3 in a simulation: its calls reach the table of operations in `simbus.aws`, before anything is sent.

hooks         the event handlers of one client: take the parameters, answer before the request is sent
wire          what botocore's parser is handed: status, headers and body of an answer or an error
shapes        the parameters in the types of the service model
clients       clients that belong to one simulation
moto          the rest of AWS
accounts      which simulation a call belongs to
waiting       how botocore waits and draws numbers outside of a handler
installation  what is another one in boto3 and botocore while a simulation is open, and how everything is put back
late          installs as soon as botocore is imported, where it was not before

Nothing here imports boto3 or botocore before the user's code does: a simulation without it does not pay for it.
"""

from simbus.sdk.accounts import enter, leave
from simbus.sdk.clients import client, resource
from simbus.sdk.late import close, open_for

__all__ = ["client", "close", "enter", "leave", "open_for", "resource"]
