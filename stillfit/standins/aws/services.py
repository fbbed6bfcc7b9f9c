"""The services of the stand-in, by the models that ship with botocore, and how each is recognised in a request."""

from dataclasses import dataclass
from functools import cache

from botocore.loaders import Loader
from botocore.model import OperationModel, ServiceModel, StructureShape

from stillfit.standins.aws.shapes import Check, compile_check


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One service: `name` is its IAM prefix, `signing` the service in a signature's scope."""

    name: str
    signing: str
    botocore: str
    version: str

    @property
    def model(self) -> ServiceModel:
        return _model(self.botocore, self.version)

    @property
    def speaks_query(self) -> bool:
        """Codes of the query protocol are the ones clients see, also in JSON and CBOR (trait awsQueryCompatible)."""
        return "query" in self.model.metadata["protocols"]

    @property
    def speaks_rest(self) -> bool:
        """An operation of restJson1 is known by its path."""
        return "rest-json" in self.model.metadata["protocols"]

    @property
    def xml_namespace(self) -> str:
        return str(self.model.metadata.get("xmlNamespace", ""))

    def operation(self, name: str) -> OperationModel | None:
        return self.model.operation_model(name) if name in self.model.operation_names else None

    def error_shape(self, code: str) -> StructureShape | None:
        shapes = (shape for shape in self.model.error_shapes if isinstance(shape, StructureShape))
        return next((shape for shape in shapes if code in (shape.name, shape.error_code)), None)


CLOUDWATCH = Service(name="cloudwatch", signing="monitoring", botocore="cloudwatch", version="2010-08-01")
DYNAMODB = Service(name="dynamodb", signing="dynamodb", botocore="dynamodb", version="2012-08-10")
SCALING = Service(
    name="application-autoscaling",
    signing="application-autoscaling",
    botocore="application-autoscaling",
    version="2016-02-06",
)
TAGGING = Service(name="tag", signing="tagging", botocore="resourcegroupstaggingapi", version="2017-01-26")
IAM = Service(name="iam", signing="iam", botocore="iam", version="2010-05-08")
STS = Service(name="sts", signing="sts", botocore="sts", version="2011-06-15")
KEYSPACES = Service(name="cassandra", signing="cassandra", botocore="keyspaces", version="2022-02-10")
DAX = Service(name="dax", signing="dax", botocore="dax", version="2017-04-19")
QUOTAS = Service(name="servicequotas", signing="servicequotas", botocore="service-quotas", version="2019-06-24")
KMS = Service(name="kms", signing="kms", botocore="kms", version="2014-11-01")
PRICING = Service(name="pricing", signing="pricing", botocore="pricing", version="2017-10-15")
COSTS = Service(name="ce", signing="ce", botocore="ce", version="2017-10-25")
ACCOUNT = Service(name="account", signing="account", botocore="account", version="2021-02-01")

SERVICES = (CLOUDWATCH, DYNAMODB, SCALING, TAGGING, IAM, STS, KEYSPACES, DAX, QUOTAS, KMS, PRICING, COSTS, ACCOUNT)


@cache
def by_target(prefix: str) -> Service | None:
    """The service behind an X-Amz-Target prefix or a CBOR service name."""
    return next((service for service in SERVICES if service.model.metadata.get("targetPrefix") == prefix), None)


@cache
def by_signing_name(name: str) -> Service | None:
    return next((service for service in SERVICES if service.signing == name), None)


@cache
def by_path(path: str) -> tuple[Service, str] | None:
    """The service and the operation that are asked by POST to a path (restJson1)."""
    for service in SERVICES:
        for name in service.model.operation_names if service.speaks_rest else ():
            if service.model.operation_model(name).http == {"method": "POST", "requestUri": path, "responseCode": 200}:
                return service, name
    return None


@cache
def _model(name: str, version: str) -> ServiceModel:
    return ServiceModel(Loader().load_service_model(name, "service-2", version), name)


@cache
def request_check(service: Service, shape_name: str) -> Check:
    """The compiled check of an input shape, with every bound the model states."""
    return compile_check(service.model.shape_for(shape_name), bounds=True)


@cache
def answer_check(service: Service, shape_name: str) -> Check:
    """The compiled check of an output shape or a part of one."""
    return compile_check(service.model.shape_for(shape_name), bounds=False)
