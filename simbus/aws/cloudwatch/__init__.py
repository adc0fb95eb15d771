"""Amazon CloudWatch metrics: those of AWS that simbus writes (AWS/Lambda, AWS/SQS, AWS/DynamoDB), and those of users.

put      PutMetricData
get      GetMetricStatistics, GetMetricData, ListMetrics
queries  what GetMetricData refuses
known    what is known of a metric

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/
Alarms, dashboards and metric math are not played. A period begins at StartTime, rounded down to its minute (below 60 s:
to its second); AWS documents the rounding, not whether periods of GetMetricData are aligned any further.
"""

from simbus.aws.cloudwatch import get as get
from simbus.aws.cloudwatch import put as put
from simbus.aws.cloudwatch.common import api

__all__ = ["api"]
